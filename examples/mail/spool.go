package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// spool is a folder of messages in the manner of Maildir: a message is written
// in tmp and appears in new at once, whole.
type spool struct {
	folder string
	count  atomic.Uint64
}

func openSpool(folder string) (*spool, error) {
	for _, name := range []string{"tmp", "new"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o700); err != nil {
			return nil, err
		}
	}
	return &spool{folder: folder}, nil
}

// keep stores one message and returns the name of its file. When it returns
// without an error, the message is on the disk.
func (s *spool) keep(mail *envelope, hello, host string, body []byte, now time.Time) (string, error) {
	var message bytes.Buffer
	fmt.Fprintf(&message, "Return-Path: <%s>\r\n", mail.from)
	fmt.Fprintf(&message, "Delivered-To: %s\r\n", strings.Join(mail.to, ", "))
	fmt.Fprintf(&message, "Received: from %s by %s; %s\r\n", hello, host, now.Format(time.RFC1123Z))
	message.Write(body)

	name := fmt.Sprintf("%d.%d_%d", now.UnixNano(), os.Getpid(), s.count.Add(1))
	temporary := filepath.Join(s.folder, "tmp", name)
	if err := writeSynced(temporary, message.Bytes()); err != nil {
		os.Remove(temporary)
		return "", err
	}
	if err := os.Rename(temporary, filepath.Join(s.folder, "new", name)); err != nil {
		os.Remove(temporary)
		return "", err
	}
	return name, syncFolder(filepath.Join(s.folder, "new"))
}

func writeSynced(name string, data []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Sync()
}

func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
