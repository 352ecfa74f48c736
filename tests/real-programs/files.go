// What Go's os and path/filepath ask of a WASI host; wants a writable directory at /.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "unexpected:", err)
		os.Exit(1)
	}
}

func expect(ok bool, what string, got ...any) {
	if !ok {
		fmt.Fprintln(os.Stderr, append([]any{"expected:", what, "got:"}, got...)...)
		os.Exit(1)
	}
}

func tree() {
	must(os.MkdirAll("/work/a/b/c", 0o777))
	var want []string
	for i := range 200 {
		path := fmt.Sprintf("/work/a/b/file-%03d", i)
		must(os.WriteFile(path, []byte(path), 0o666))
		want = append(want, path)
	}
	var found []string
	must(filepath.WalkDir("/work", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			found = append(found, path)
		}
		return err
	}))
	expect(slices.Equal(found, want), "all files", len(found))
	entries, err := os.ReadDir("/work/a/b")
	must(err)
	expect(len(entries) == 201 && entries[0].Name() == "c" && entries[0].IsDir(), "a listing", len(entries))
	matches, err := filepath.Glob("/work/*/b/file-1*")
	must(err)
	expect(len(matches) == 100, "100 matches", len(matches))
	must(os.Rename("/work/a/b", "/work/moved"))
	_, err = os.Stat("/work/a/b")
	expect(errors.Is(err, fs.ErrNotExist), "the old name is gone", err)
	expect(os.Remove("/work/moved") != nil, "a full directory stays")
	must(os.RemoveAll("/work"))
	_, err = os.Stat("/work")
	expect(errors.Is(err, fs.ErrNotExist), "all is gone", err)
}

func files() {
	file, err := os.CreateTemp("/", "temp-*.txt")
	must(err)
	name := file.Name()
	_, err = file.WriteString("0123456789")
	must(err)
	at, err := file.Seek(-4, io.SeekEnd)
	must(err)
	rest, err := io.ReadAll(file)
	must(err)
	expect(at == 6 && string(rest) == "6789", "the rest", at, string(rest))
	_, err = file.WriteAt([]byte("AB"), 1)
	must(err)
	part := make([]byte, 3)
	_, err = file.ReadAt(part, 1)
	must(err)
	expect(string(part) == "AB3", "what was written", string(part))
	must(file.Truncate(5))
	must(file.Sync())
	must(file.Close())
	expect(file.Close() != nil, "closing twice fails")

	accessed, modified := time.Unix(1e9, 123456789), time.Unix(12e8, 987654321)
	must(os.Chtimes(name, accessed, modified))
	info, err := os.Stat(name)
	must(err)
	expect(info.Size() == 5 && info.ModTime().Equal(modified), "size and time", info.Size(), info.ModTime())
	must(os.Truncate(name, 2))
	content, err := os.ReadFile(name)
	must(err)
	expect(string(content) == "0A", "two bytes", string(content))
	must(os.Remove(name))

	for range 2 {
		log, err := os.OpenFile("/log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
		must(err)
		_, err = log.WriteString("line\n")
		must(err)
		must(log.Close())
	}
	content, err = os.ReadFile("/log")
	must(err)
	expect(string(content) == "line\nline\n", "two lines", string(content))
	_, err = os.OpenFile("/log", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	expect(errors.Is(err, fs.ErrExist), "exclusive", err)
	must(os.Remove("/log"))
}

func links() {
	must(os.WriteFile("/target", []byte("text"), 0o666))
	must(os.Symlink("target", "/soft"))
	must(os.Link("/target", "/hard"))
	to, err := os.Readlink("/soft")
	must(err)
	info, err := os.Lstat("/soft")
	must(err)
	expect(to == "target" && info.Mode()&fs.ModeSymlink != 0, "a symlink", to, info.Mode())
	a, err := os.Stat("/soft")
	must(err)
	b, err := os.Stat("/hard")
	must(err)
	expect(os.SameFile(a, b), "one file by two names")
	for _, name := range []string{"/soft", "/hard", "/target"} {
		must(os.Remove(name))
	}
	_, err = os.ReadFile("/../../etc/passwd")
	expect(err != nil, "no way out")
}

func process() {
	expect(slices.Equal(os.Args[1:], []string{"one", "two words"}), "arguments", os.Args)
	value, found := os.LookupEnv("PROBE")
	expect(found && value == "a=b c", "a variable", value)
	begin := time.Now()
	time.Sleep(30 * time.Millisecond)
	expect(time.Since(begin) >= 30*time.Millisecond, "sleep", time.Since(begin))
	ticks := 0
	ticker := time.NewTicker(5 * time.Millisecond)
	for timeout := time.After(5 * time.Second); ticks < 5; {
		select {
		case <-ticker.C:
			ticks++
		case <-timeout:
			expect(false, "five ticks within 5 s", ticks)
		}
	}
	input, err := io.ReadAll(os.Stdin)
	must(err)
	expect(string(input) == "on stdin\n", "stdin", string(input))
}

func main() {
	for _, check := range []struct {
		name string
		run  func()
	}{{"tree", tree}, {"files", files}, {"links", links}, {"process", process}} {
		check.run()
		fmt.Println("ok go", check.name)
	}
}
