package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"toolcell.dev/sdk/toolcelltest"
)

type object = map[string]any

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEveryKindIsMadeListedReadAndUnpacked(t *testing.T) {
	for _, name := range []string{"a.zip", "a.tar", "a.tar.gz", "a.tgz"} {
		host, dir := toolcelltest.New(t), t.TempDir()
		write(t, dir+"/src/one.txt", "one")
		write(t, dir+"/src/deep/two.txt", "zwei ü")
		archive := dir + "/" + name
		made := host.Call("create_archive", object{"path": archive, "files": []string{dir + "/src"}})
		if made.IsError || !strings.Contains(made.Text(), "of 2 files") {
			t.Fatalf("%s: %+v %s", name, made, made.Text())
		}
		if again := host.Call("create_archive", object{"path": archive, "files": []string{dir + "/src"}}); !strings.Contains(again.Text(), "is there already") {
			t.Errorf("%s: %s", name, again.Text())
		}
		listed := host.Call("list_archive", object{"path": archive, "prefix": "src/deep"})
		if !strings.Contains(listed.JSON, `"name":"src/deep/two.txt","size":7`) || !strings.Contains(listed.JSON, `"total":1`) {
			t.Errorf("%s: %s", name, listed.JSON)
		}
		if text := host.Call("read_from_archive", object{"path": archive, "entry": "src/deep/two.txt"}).Text(); text != "zwei ü" {
			t.Errorf("%s: %q", name, text)
		}
		if text := host.Call("read_from_archive", object{"path": archive, "entry": "no"}).Text(); !strings.Contains(text, "call list_archive") {
			t.Errorf("%s: %q", name, text)
		}
		out := host.Call("extract_archive", object{"path": archive, "destination": dir + "/out"})
		if text, err := os.ReadFile(dir + "/out/src/one.txt"); err != nil || string(text) != "one" || out.IsError {
			t.Errorf("%s: %+v %v", name, out.Text(), err)
		}
		if again := host.Call("extract_archive", object{"path": archive, "destination": dir + "/out"}); !again.IsError {
			t.Errorf("%s: it wrote over files", name)
		}
	}
}

func TestAnEntryThatLeadsOutIsRefused(t *testing.T) {
	for _, name := range []string{"../evil.txt", "/etc/evil.txt", `..\evil.txt`} {
		host, dir := toolcelltest.New(t), t.TempDir()
		file, err := os.Create(dir + "/a.zip")
		if err != nil {
			t.Fatal(err)
		}
		archive := zip.NewWriter(file)
		entry, _ := archive.Create(name)
		_, _ = entry.Write([]byte("evil"))
		_ = archive.Close()
		_ = file.Close()
		result := host.Call("extract_archive", object{"path": dir + "/a.zip", "destination": dir + "/out"})
		if !result.IsError || !strings.Contains(result.Text(), "leads out of the folder") {
			t.Errorf("%s: %s", name, result.Text())
		}
		if _, err := os.Stat(dir + "/evil.txt"); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	host, dir := toolcelltest.New(t), t.TempDir()
	write(t, dir+"/broken.zip", "this is no zip")
	write(t, dir+"/broken.tgz", "this is no tar")
	cases := map[string]string{
		dir + "/none.zip": "is not there", dir + "/a.rar": "has to end with", dir + "/broken.zip": "is damaged", dir + "/broken.tgz": "is damaged",
	}
	for path, expected := range cases {
		if result := host.Call("list_archive", object{"path": path}); !result.IsError || !strings.Contains(result.Text(), expected) {
			t.Errorf("%s: %s", path, result.Text())
		}
	}
}

func TestLongFilesAreReadInParts(t *testing.T) {
	host, dir := toolcelltest.New(t), t.TempDir()
	long := strings.Repeat("ü", mostText)
	write(t, dir+"/long.txt", "a"+long)
	host.Call("create_archive", object{"path": dir + "/a.tgz", "files": []string{dir + "/long.txt"}})
	first := host.Call("read_from_archive", object{"path": dir + "/a.tgz", "entry": "long.txt"})
	if !strings.HasSuffix(first.Text(), "call again with offset 262143") {
		t.Errorf("%s", first.Text()[len(first.Text())-60:])
	}
	rest := host.Call("read_from_archive", object{"path": dir + "/a.tgz", "entry": "long.txt", "offset": 2*mostText - 1})
	if rest.Text() != "ü" {
		t.Errorf("%q", rest.Text())
	}
}
