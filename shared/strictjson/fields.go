package strictjson

// Fields takes values out of a JSON object, and keeps the first error.
type Fields struct {
	Left map[string]any // what was not taken yet
	Err  error
}

// Fail keeps err, unless there was one before.
func (f *Fields) Fail(err error) {
	if f.Err == nil {
		f.Err = err
	}
}

// Take removes a field and returns its value; nil for none and for null.
func (f *Fields) Take(name string) any {
	v := f.Left[name]
	delete(f.Left, name)
	return v
}
