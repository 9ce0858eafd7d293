package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
)

// writeNames writes the hash table of the rows' names. It has at least twice as
// many slots as rows, a power of two, so that most names are found at once.
func writeNames(rows []row) string {
	slots := 1
	for slots < 2*len(rows) {
		slots *= 2
	}
	table := make([]int, slots)
	for i, r := range rows {
		if i > 0 && rows[i-1].name == r.name {
			continue // a variant, which stands after its call
		}
		hash := fnv.New32a()
		hash.Write([]byte(r.name))
		slot := int(hash.Sum32() % uint32(slots))
		for table[slot] != 0 {
			slot = (slot + 1) % slots
		}
		table[slot] = i + 1
	}
	var b bytes.Buffer
	b.WriteString("// byName has 1 + the first row of each name, at the name's hash or the next free slot after it.\n")
	b.WriteString("var byName = [...]uint16{")
	for i, entry := range table {
		if i%16 == 0 {
			b.WriteString("\n\t")
		}
		fmt.Fprintf(&b, "%d, ", entry)
	}
	b.WriteString("\n}\n")
	return b.String()
}
