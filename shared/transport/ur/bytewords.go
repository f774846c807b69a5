package ur

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// words are the 256 words of BCR-2020-012, four letters each. In the minimal
// form a byte is the first and the last letter of its word.
const words = "" +
	"ableacidalsoapexaquaarchatomauntawayaxisbackbaldbarnbeltbetabias" +
	"bluebodybragbrewbulbbuzzcalmcashcatschefcityclawcodecolacookcost" +
	"cruxcurlcuspcyandarkdatadaysdelidicedietdoordowndrawdropdrumdull" +
	"dutyeacheasyechoedgeepicevenexamexiteyesfactfairfernfigsfilmfish" +
	"fizzflapflewfluxfoxyfreefrogfuelfundgalagamegeargemsgiftgirlglow" +
	"goodgraygrimgurugushgyrohalfhanghardhawkheathelphighhillholyhope" +
	"hornhutsicedideaidleinchinkyintoirisironitemjadejazzjoinjoltjowl" +
	"judojugsjumpjunkjurykeepkenokeptkeyskickkilnkingkitekiwiknoblamb" +
	"lavalazyleaflegsliarlimplionlistlogoloudloveluaulucklungmainmany" +
	"mathmazememomenumeowmildmintmissmonknailnavyneednewsnextnoonnote" +
	"numbobeyoboeomitonyxopenovalowlspaidpartpeckplaypluspoempoolpose" +
	"puffpumapurrquadquizraceramprealredorichroadrockroofrubyruinruns" +
	"rustsafesagascarsetssilkskewslotsoapsolosongstubsurfswantacotask" +
	"taxitenttiedtimetinytoiltombtoystriptunatwinuglyundouniturgeuser" +
	"vastveryvetovialvibeviewvisavoidvowswallwandwarmwaspwavewaxywebs" +
	"whatwhenwhizwolfworkyankyawnyellyogayurtzapszerozestzinczonezoom"

var errBytewords = errors.New("not bytewords, or misread: the checksum does not fit")

// encodeWords writes bytes and their CRC-32 as minimal bytewords.
func encodeWords(b []byte) string {
	b = binary.BigEndian.AppendUint32(b[:len(b):len(b)], crc32.ChecksumIEEE(b))
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, words[4*int(c)], words[4*int(c)+3])
	}
	return string(out)
}

// decoder returns the byte of each pair of letters, or -1.
type decoder [26 * 26]int16

func newDecoder() *decoder {
	var d decoder
	for i := range d {
		d[i] = -1
	}
	for i := range 256 {
		d[pair(words[4*i], words[4*i+3])] = int16(i)
	}
	return &d
}

func pair(first, last byte) int { return int(first-'a')*26 + int(last-'a') }

// decode reads minimal bytewords, in small letters, and checks the CRC-32.
func (d *decoder) decode(s string) ([]byte, error) {
	if len(s)%2 != 0 || len(s) < 10 {
		return nil, errBytewords
	}
	out := make([]byte, 0, len(s)/2)
	for ; len(s) > 0; s = s[2:] {
		if s[0] < 'a' || s[0] > 'z' || s[1] < 'a' || s[1] > 'z' {
			return nil, errBytewords
		}
		c := d[pair(s[0], s[1])]
		if c < 0 {
			return nil, errBytewords
		}
		out = append(out, byte(c))
	}
	body := out[:len(out)-4]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(out[len(body):]) {
		return nil, errBytewords
	}
	return body, nil
}
