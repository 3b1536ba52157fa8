package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"guestpass/internal/credentials"
	"guestpass/internal/page"
)

func checkWordsFile(name string) error {
	if credentials.LooksSecret(name) || filepath.Ext(name) != ".json" {
		return errors.New("must be the name of a file with the ending .json")
	}
	return nil
}

// readWords reads the file of words, which New checks; nil if there is none.
func (c config) readWords() (given map[string]map[string]string, err error) {
	if c.Words == "" {
		return nil, nil
	}
	content, err := readNamed(c.Words)
	if err == nil && len(content) > page.MaxLogo {
		err = fmt.Errorf("names a file of more than %d KiB", page.MaxLogo>>10)
	}
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(content))
		if decoder.Decode(&given) != nil || decoder.More() {
			err = errors.New(`names a file that is not as {"en": {"KEY": "TEXT"}}`)
		}
	}
	if err != nil {
		return nil, usagef("not started:\n%w", c.fault("GUESTPASS_WORDS", "%w", err))
	}
	return given, nil
}
