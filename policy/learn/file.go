package learn

import "strings"

// Use is what was done with a file.
type Use uint8

// The uses.
const (
	Look    Use = 1 << iota // its attributes were asked for, or whether it is there
	List                    // of a folder: its entries were listed
	Read                    // it was opened for reading
	Write                   // it was opened for writing, or its attributes were changed
	Execute                 // it was executed, or mapped as code
	Change                  // of a folder: entries were made, renamed or removed
	Make                    // it wasn't there, and was made
)

// File is a file that a call named.
type File struct {
	Path   string // absolute and clean, as the program named it
	Real   string // where that leads, without links; "" for the path itself
	Folder bool
	Opened bool // it was used by a descriptor: Path is where it is, and no name that was given
	Use    Use
}

// node is a file or folder in the tree of what was used.
type node struct {
	children map[string]*node
	use      Use
	folder   bool
	folded   bool   // what was used in it is not told apart any more
	real     string // where it leads, if it is a link
	named    bool   // the program gave its name, and not only those that lead to it
	users    users
}

// tree is what was used of the machine's files, bounded.
type tree struct {
	root node
	size int
	most int // nodes; the deepest are folded when there are more
}

func (t *tree) add(f File, program string) {
	n := &t.root
	n.folder = true
	for _, part := range strings.Split(strings.Trim(f.Path, "/"), "/") {
		if part == "" {
			continue
		}
		if n.folded {
			n.use |= f.Use
			n.users.add(program)
			return
		}
		child := n.children[part]
		if child == nil {
			if n.children == nil {
				n.children = map[string]*node{}
			}
			child = &node{}
			n.children[part] = child
			t.size++
		}
		n.folder = true
		n = child
	}
	if n.use&Make == 0 && n.use != 0 {
		f.Use &^= Make // it was there before
	}
	n.use |= f.Use
	n.folder = n.folder || f.Folder
	n.named = n.named || !f.Opened
	if f.Real != "" && f.Real != f.Path {
		n.real = f.Real
	}
	n.users.add(program)
	if t.size > t.most {
		t.fold()
	}
}

// fold forgets the deepest files: what was done with them counts as done with
// their folders.
func (t *tree) fold() {
	for depth := t.root.depth(); t.size > t.most/2 && depth > 1; depth-- {
		t.root.cut(depth-1, t)
	}
}

func (n *node) depth() int {
	deepest := 0
	for _, child := range n.children {
		deepest = max(deepest, child.depth()+1)
	}
	return deepest
}

// cut folds the folders that are so far below a node.
func (n *node) cut(below int, t *tree) {
	for _, child := range n.children {
		if below > 0 {
			child.cut(below-1, t)
		}
	}
	if below > 0 || len(n.children) == 0 {
		return
	}
	for _, child := range n.children {
		if child.use != 0 && child.use&Make == 0 {
			n.use |= child.use &^ Look
			if child.use&Look != 0 {
				n.use |= Read
			}
		}
		n.users.join(child.users)
	}
	t.size -= len(n.children)
	n.children, n.folded = nil, true
}

// at is the node of a path, or nil.
func (t *tree) at(path string) *node {
	n := &t.root
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		if part == "" {
			continue
		}
		if n = n.children[part]; n == nil {
			return nil
		}
	}
	return n
}

// unite has names that lead to a file stand for it, where the program gave those
// alone: what was done by a descriptor counts for them.
func (t *tree) unite() {
	t.root.each(func(n *node) {
		if n.real == "" {
			return
		}
		to := t.at(n.real)
		if to == nil || to == n || to.folder || to.folded {
			return
		}
		n.use |= to.use &^ (Look | Make)
		if !to.named {
			to.use = 0
		}
	})
}

func (n *node) each(do func(*node)) {
	do(n)
	for _, child := range n.children {
		child.each(do)
	}
}
