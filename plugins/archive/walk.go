package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// item is one thing in an archive.
type item struct {
	Name     string
	Size     int64
	Modified time.Time
	Mode     fs.FileMode
}

type format int

const (
	unknown format = iota
	zipped
	tarred
	gzipped
)

func formatOf(path string) (format, error) {
	lower := strings.ToLower(path)
	switch {
	case strings.HasSuffix(lower, ".zip"), strings.HasSuffix(lower, ".jar"), strings.HasSuffix(lower, ".whl"):
		return zipped, nil
	case strings.HasSuffix(lower, ".tar"):
		return tarred, nil
	case strings.HasSuffix(lower, ".tar.gz"), strings.HasSuffix(lower, ".tgz"):
		return gzipped, nil
	}
	return unknown, fmt.Errorf("%s is no archive that is known here: its name has to end with .zip, .tar, .tar.gz or .tgz", path)
}

// walk visits what is in an archive, in its order; open gives the contents, while the visit lasts.
func walk(path string, visit func(item item, open func() (io.ReadCloser, error)) error) error {
	kind, err := formatOf(path)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return explained(err, path)
	}
	defer file.Close()
	if kind == zipped {
		return broken(walkZip(file, visit), path)
	}
	var reader io.Reader = file
	if kind == gzipped {
		unpacked, err := gzip.NewReader(file)
		if err != nil {
			return broken(err, path)
		}
		defer unpacked.Close()
		reader = unpacked
	}
	return broken(walkTar(tar.NewReader(reader), visit), path)
}

func walkZip(file *os.File, visit func(item, func() (io.ReadCloser, error)) error) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(file, info.Size())
	if err != nil {
		return err
	}
	for _, each := range archive.File {
		one := item{each.Name, int64(each.UncompressedSize64), each.Modified, each.Mode()}
		if err := visit(one, each.Open); err != nil {
			return err
		}
	}
	return nil
}

func walkTar(archive *tar.Reader, visit func(item, func() (io.ReadCloser, error)) error) error {
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		one := item{header.Name, header.Size, header.ModTime, header.FileInfo().Mode()}
		open := func() (io.ReadCloser, error) { return io.NopCloser(archive), nil }
		if err := visit(one, open); err != nil {
			return err
		}
	}
}

// broken says that the archive is not what its name says, where that is what is wrong.
func broken(err error, path string) error {
	for _, known := range []error{zip.ErrFormat, zip.ErrChecksum, tar.ErrHeader, gzip.ErrHeader, gzip.ErrChecksum, io.ErrUnexpectedEOF} {
		if errors.Is(err, known) {
			return fmt.Errorf("%s is damaged, or is of another kind than its name says: %w", path, err)
		}
	}
	return err
}
