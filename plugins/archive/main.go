// Archives in granted directories: what is in them, their files as text, and new ones.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"unicode/utf8"

	toolcell "toolcell.dev/sdk"
)

// How much one answer holds: a model has no use for more at once.
const (
	mostEntries = 1000
	mostText    = 256 << 10
)

type listArgs struct {
	Path   string `json:"path" doc:"The archive: a .zip, .tar, .tar.gz or .tgz file, such as /data/backup.zip."`
	Prefix string `json:"prefix" doc:"Only entries whose names begin with this, such as docs/." default:""`
	Offset int    `json:"offset" doc:"How many of them to skip: for an archive with more than 1000." min:"0" default:"0"`
}

type entry struct {
	Name     string `json:"name" doc:"Its path in the archive; folders end with a slash."`
	Size     int64  `json:"size" doc:"Bytes when unpacked."`
	Modified string `json:"modified" doc:"When it last changed, RFC 3339."`
}

type listing struct {
	Entries []entry `json:"entries" doc:"In the archive's own order."`
	Total   int     `json:"total" doc:"How many there are in all, with this prefix."`
}

type readArgs struct {
	Path   string `json:"path" doc:"The archive."`
	Entry  string `json:"entry" doc:"The entry's name, as list_archive gives it."`
	Offset int64  `json:"offset" doc:"Where to begin, in bytes: for a file of more than 256 KiB." min:"0" default:"0"`
}

type createArgs struct {
	Path  string   `json:"path" doc:"The archive to make; its ending says which kind: .zip, .tar, .tar.gz or .tgz. It must not be there yet."`
	Files []string `json:"files" doc:"Files and folders to put into it; folders with all that is in them." min:"1"`
}

type created struct {
	Entries int   `json:"entries" doc:"How many files were put into it."`
	Size    int64 `json:"size" doc:"Bytes of the archive."`
}

type extractArgs struct {
	Path        string `json:"path" doc:"The archive."`
	Destination string `json:"destination" doc:"The folder to unpack into; it is made if it is not there."`
	Prefix      string `json:"prefix" doc:"Only entries whose names begin with this." default:""`
}

type extracted struct {
	Files int   `json:"files" doc:"How many files were written."`
	Bytes int64 `json:"bytes" doc:"How many bytes in all."`
}

func init() {
	toolcell.Tool("list_archive", "Lists what is in a zip or tar archive, without unpacking it.", list,
		toolcell.Title("List archive"), toolcell.ReadOnly, toolcell.ClosedWorld)
	toolcell.Tool("read_from_archive", "Reads one text file in a zip or tar archive, without unpacking it.", read,
		toolcell.Title("Read from archive"), toolcell.ReadOnly, toolcell.ClosedWorld)
	toolcell.Tool("create_archive", "Makes a zip or tar archive of files and folders. Never writes over a file that is there.", create,
		toolcell.Title("Create archive"), toolcell.NotDestructive, toolcell.ClosedWorld)
	toolcell.Tool("extract_archive", "Unpacks a zip or tar archive into a folder. Never writes over a file that is there, and never outside of the folder.", extract,
		toolcell.Title("Extract archive"), toolcell.NotDestructive, toolcell.ClosedWorld)
}

func main() {}

func list(c *toolcell.Call, in listArgs) (toolcell.Result[listing], error) {
	out := listing{Entries: []entry{}}
	var lines []string
	err := walk(in.Path, func(item item, _ func() (io.ReadCloser, error)) error {
		if !strings.HasPrefix(item.Name, in.Prefix) {
			return nil
		}
		out.Total++
		if out.Total > in.Offset && len(out.Entries) < mostEntries {
			out.Entries = append(out.Entries, entry{item.Name, item.Size, item.Modified.UTC().Format("2006-01-02T15:04:05Z")})
			lines = append(lines, fmt.Sprintf("%10d  %s", item.Size, item.Name))
		}
		return nil
	})
	if err != nil {
		return toolcell.Result[listing]{}, err
	}
	if rest := out.Total - in.Offset - len(out.Entries); rest > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more; call again with offset %d", rest, in.Offset+len(out.Entries)))
	}
	if len(lines) == 0 {
		lines = []string{"Nothing."}
	}
	return toolcell.Structured(out, toolcell.Text("%s", strings.Join(lines, "\n"))), nil
}

var errFound = errors.New("found")

func read(c *toolcell.Call, in readArgs) (string, error) {
	var text []byte
	more := false
	err := walk(in.Path, func(item item, open func() (io.ReadCloser, error)) error {
		if item.Name != in.Entry {
			return nil
		}
		if item.Mode.IsDir() {
			return fmt.Errorf("%s is a folder; name a file in it, as list_archive gives it", in.Entry)
		}
		file, err := open()
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := io.CopyN(io.Discard, file, in.Offset); err != nil && err != io.EOF {
			return err
		}
		text, err = io.ReadAll(io.LimitReader(file, mostText+1))
		if err != nil {
			return err
		}
		if more = len(text) > mostText; more {
			text = text[:mostText]
		}
		return errFound
	})
	if err == nil {
		return "", fmt.Errorf("%s has no entry %q; call list_archive to see what it has", in.Path, in.Entry)
	}
	if !errors.Is(err, errFound) {
		return "", err
	}
	// A cut in the middle of a character is no reason to take the file for binary.
	for cut := 0; more && cut < utf8.UTFMax && !utf8.Valid(text); cut++ {
		text = text[:len(text)-1]
	}
	if !utf8.Valid(text) {
		return "", fmt.Errorf("%s is no text; unpack it with extract_archive", in.Entry)
	}
	if more {
		return fmt.Sprintf("%s\n… the file goes on; call again with offset %d", text, in.Offset+int64(len(text))), nil
	}
	return string(text), nil
}

// explained is an error of the file system as the model can act on it.
func explained(err error, path string) error {
	switch {
	case err == nil:
		return nil
	// WASI knows no file that could be meant by a path outside of the granted directories.
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EBADF):
		return fmt.Errorf("%s is not there, or lies in no directory that is granted", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be used so: the operator granted less", path)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s is there already; choose another name", path)
	}
	return err
}
