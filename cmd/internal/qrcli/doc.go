// Package qrcli joins what both programs need to cross the gap by screen and
// camera: pictures from a source, symbols from pictures, parts from symbols, a
// payload from parts; and the way back, to a terminal, a picture, a GIF or a
// page.
package qrcli
