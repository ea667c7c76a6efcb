package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	toolcell "toolcell.dev/sdk"
)

// mostBytes is what one call unpacks at most: a few kilobytes can stand for terabytes.
const mostBytes = 1 << 30

// writer is what both kinds of archive are written with.
type writer struct {
	add   func(name string, info fs.FileInfo) (io.Writer, error)
	close func() error
}

func newWriter(kind format, to io.Writer) writer {
	if kind == zipped {
		archive := zip.NewWriter(to)
		return writer{func(name string, info fs.FileInfo) (io.Writer, error) {
			header, err := zip.FileInfoHeader(info)
			if err != nil {
				return nil, err
			}
			header.Name, header.Method = name, zip.Deflate
			return archive.CreateHeader(header)
		}, archive.Close}
	}
	closing := func() error { return nil }
	if kind == gzipped {
		packed := gzip.NewWriter(to)
		to, closing = packed, packed.Close
	}
	archive := tar.NewWriter(to)
	return writer{func(name string, info fs.FileInfo) (io.Writer, error) {
		header, err := tar.FileInfoHeader(info, "")
		if err != nil {
			return nil, err
		}
		header.Name = name
		return archive, archive.WriteHeader(header)
	}, func() error {
		if err := archive.Close(); err != nil {
			return err
		}
		return closing()
	}}
}

func create(c *toolcell.Call, in createArgs) (toolcell.Result[created], error) {
	none := toolcell.Result[created]{}
	kind, err := formatOf(in.Path)
	if err != nil {
		return none, err
	}
	file, err := os.OpenFile(in.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return none, explained(err, in.Path)
	}
	count, err := fill(c, newWriter(kind, file), in)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		// Half an archive is worse than none.
		_ = os.Remove(in.Path)
		return none, err
	}
	info, err := os.Stat(in.Path)
	if err != nil {
		return none, err
	}
	out := created{count, info.Size()}
	return toolcell.Structured(out, toolcell.Text("Made %s of %d files, %d bytes.", in.Path, count, out.Size)), nil
}

func fill(c *toolcell.Call, to writer, in createArgs) (int, error) {
	count := 0
	for _, from := range in.Files {
		base := filepath.Dir(filepath.Clean(from))
		err := filepath.WalkDir(from, func(each string, found fs.DirEntry, err error) error {
			if err != nil {
				return explained(err, each)
			}
			// Links are left out: where they point may not be granted. So is the archive itself.
			if !found.Type().IsRegular() || filepath.Clean(each) == filepath.Clean(in.Path) {
				return nil
			}
			if c.IsCancelled() {
				return toolcell.Cancelled()
			}
			name, err := filepath.Rel(base, each)
			if err != nil {
				return err
			}
			count++
			c.Progress(float64(count), 0, "%s", name)
			return copyInto(to, filepath.ToSlash(name), each)
		})
		if err != nil {
			return count, err
		}
	}
	return count, to.close()
}

func copyInto(to writer, name, from string) error {
	file, err := os.Open(from)
	if err != nil {
		return explained(err, from)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	entry, err := to.add(name, info)
	if err != nil {
		return err
	}
	_, err = io.Copy(entry, file)
	return err
}

func extract(c *toolcell.Call, in extractArgs) (toolcell.Result[extracted], error) {
	out := extracted{}
	err := walk(in.Path, func(item item, open func() (io.ReadCloser, error)) error {
		if !strings.HasPrefix(item.Name, in.Prefix) || !item.Mode.IsRegular() || strings.HasSuffix(item.Name, "/") {
			return nil
		}
		if c.IsCancelled() {
			return toolcell.Cancelled()
		}
		// A name that leads out of the folder is an attack, not a file.
		if !filepath.IsLocal(item.Name) || strings.Contains(item.Name, `\`) {
			return fmt.Errorf("the entry %q leads out of the folder; nothing of this archive should be trusted", item.Name)
		}
		from, err := open()
		if err != nil {
			return err
		}
		defer from.Close()
		target := path.Join(in.Destination, item.Name)
		if err := os.MkdirAll(path.Dir(target), 0o755); err != nil {
			return explained(err, path.Dir(target))
		}
		size, err := writeNew(target, from, mostBytes-out.Bytes)
		if err != nil {
			return err
		}
		out.Files++
		out.Bytes += size
		c.Progress(float64(out.Files), 0, "%s", item.Name)
		return nil
	})
	if err != nil {
		return toolcell.Result[extracted]{}, fmt.Errorf("%w (%d files were written before)", err, out.Files)
	}
	return toolcell.Structured(out, toolcell.Text("Wrote %d files, %d bytes, into %s.", out.Files, out.Bytes, in.Destination)), nil
}

func writeNew(target string, from io.Reader, most int64) (int64, error) {
	file, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return 0, explained(err, target)
	}
	size, err := io.Copy(file, io.LimitReader(from, most+1))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil && size > most {
		err = fmt.Errorf("the archive holds more than %d bytes; unpack a part of it, with prefix", mostBytes)
	}
	if err != nil {
		_ = os.Remove(target)
	}
	return size, err
}
