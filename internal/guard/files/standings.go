package files

import (
	"path"
	"sync"

	"github.com/callgate/callgate/policy"
)

// standings remembers how folders stand among the patterns: most calls are about
// few folders.
type standings struct {
	patterns *policy.Patterns
	mutex    sync.RWMutex
	folders  map[string]policy.Standing
}

// maxStandings bounds the folders that are remembered.
const maxStandings = 4096

// of is the standing of what has an absolute path.
func (s *standings) of(name string) policy.Standing {
	folder, base := path.Split(name)
	if base == "" {
		return s.patterns.At(name)
	}
	return s.patterns.Enter(s.ofFolder(folder), base)
}

func (s *standings) ofFolder(folder string) policy.Standing {
	s.mutex.RLock()
	standing, ok := s.folders[folder]
	s.mutex.RUnlock()
	if ok {
		return standing
	}
	standing = s.patterns.At(folder)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.folders == nil || len(s.folders) >= maxStandings {
		s.folders = map[string]policy.Standing{}
	}
	s.folders[folder] = standing
	return standing
}
