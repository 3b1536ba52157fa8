// Package packaged holds the tests of what others are given: the image, the archives, the unit of systemd and the file
// of compose. It has no code of its own, and knows the program from outside only.
package packaged
