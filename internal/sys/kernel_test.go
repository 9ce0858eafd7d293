package sys

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestKernelVersion(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Skipf("kernel lacks: a mounted /proc to compare with: %v", err)
	}
	got := KernelVersion()
	if !regexp.MustCompile(`^\d+\.\d+$`).MatchString(got) || !strings.HasPrefix(string(text), got) {
		t.Errorf("KernelVersion() = %q; want the beginning of %q", got, text)
	}
}
