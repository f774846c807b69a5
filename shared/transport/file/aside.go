package file

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"coldkms/shared/durable"
)

// Entry is a regular file that lies in the folder.
type Entry struct {
	Name  string
	Size  int64
	Stamp string // changes when the file does
}

// maxEntries is how many names are looked at: a stick with more is in trouble.
const maxEntries = 10_000

// List returns the regular files with one of the endings, by name. Others is
// what has such a name and is none: it is not touched.
func (m Media) List(endings ...string) (files []Entry, others []string, err error) {
	entries, err := m.FS.ReadDir(m.Dir)
	if err != nil {
		return nil, nil, named("look into "+m.Dir, err)
	}
	if len(entries) > maxEntries {
		return nil, nil, fmt.Errorf("look into %s: %d names, at most %d are looked at: move the ones that do not belong there away", m.Dir, len(entries), maxEntries)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !ends(e.Name(), endings) {
			continue
		}
		info, err := m.FS.Lstat(filepath.Join(m.Dir, e.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil: // its neighbours can be taken all the same
			others = append(others, fmt.Sprintf("%.100q cannot be looked at: %v", e.Name(), err))
		case !info.Mode().IsRegular():
			others = append(others, fmt.Sprintf("%s is a %s", e.Name(), durable.KindOf(info.Mode())))
		default:
			files = append(files, Entry{Name: e.Name(), Size: info.Size(),
				Stamp: fmt.Sprint(info.Size(), info.ModTime().UnixNano())})
		}
	}
	return files, others, nil
}

// ends also takes endings in capitals, as old sticks write them.
func ends(name string, endings []string) bool {
	for _, e := range endings {
		if strings.EqualFold(filepath.Ext(name), e) {
			return true
		}
	}
	return false
}

// maxCopies is how many files of one name are set aside.
const maxCopies = 1000

// Aside moves a file into a folder below, under a name of its own, and says
// why in a file beside it, if there is something to say. Nothing is
// overwritten, and a link in the place of the folder is not followed.
func (m Media) Aside(name, sub, reason string) (path string, err error) {
	defer func() { err = named(fmt.Sprintf("move %q aside", name), err) }()
	to := Media{FS: m.FS, Dir: filepath.Join(m.Dir, sub)}
	if err := to.folder(); err != nil {
		return "", err
	}
	if path, err = m.moveTo(to.Dir, name); err != nil {
		return "", err
	}
	if reason != "" {
		note := strings.TrimSpace(reason) + "\n"
		if _, err := to.Put(plain(filepath.Base(path))+".reason.txt", []byte(note)); err != nil {
			return path, err
		}
	}
	return path, errors.Join(m.FS.SyncDir(to.Dir), m.FS.SyncDir(m.Dir))
}

// plain makes a name that CheckName takes of a foreign one.
func plain(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	if len(name) > maxName-len(".reason.txt") {
		name = strings.ToValidUTF8(name[:maxName-len(".reason.txt")], "")
	}
	if name = strings.TrimSpace(name); CheckName(name+".txt") != nil {
		name = "_" + name
	}
	return name
}

func (m Media) folder() error {
	info, err := m.FS.Lstat(m.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return m.FS.Mkdir(m.Dir, 0o700)
	}
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is a %s, not a folder", m.Dir, durable.KindOf(info.Mode()))
	}
	return err
}

func (m Media) moveTo(dir, name string) (string, error) {
	ending := filepath.Ext(name)
	for n := 1; n <= maxCopies; n++ {
		path := filepath.Join(dir, name)
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ending), n, ending))
		}
		err := m.rename(filepath.Join(m.Dir, name), path)
		if !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
	return "", fmt.Errorf("%d files of that name are in %s", maxCopies, dir)
}
