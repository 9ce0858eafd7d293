package attack

import "encoding/binary"

// program returns an ELF executable that consists of machine code alone, so
// that tests need no compiler to enter the kernel by a foreign door.
func program(machine uint16, code []byte) []byte {
	const base, headers = 0x400000, 64 + 56
	image := make([]byte, headers, headers+len(code))
	copy(image, "\x7fELF\x02\x01\x01")
	put16, put32, put64 := binary.LittleEndian.PutUint16, binary.LittleEndian.PutUint32, binary.LittleEndian.PutUint64
	put16(image[16:], 2) // ET_EXEC
	put16(image[18:], machine)
	put32(image[20:], 1)
	put64(image[24:], base+headers) // entry
	put64(image[32:], 64)           // program headers
	put16(image[52:], 64)
	put16(image[54:], 56)
	put16(image[56:], 1)
	segment := image[64:]
	put32(segment[0:], 1) // PT_LOAD
	put32(segment[4:], 5) // readable and executable
	put64(segment[16:], base)
	put64(segment[24:], base)
	put64(segment[32:], uint64(headers+len(code)))
	put64(segment[40:], uint64(headers+len(code)))
	put64(segment[48:], 0x1000)
	return append(image, code...)
}

// Int80 returns an amd64 program that enters the kernel by the 32-bit door (int
// 0x80), calls unshare(CLONE_NEWUSER) there and exits with the errno.
func Int80() []byte {
	return program(amd64, []byte{
		0xb8, 0x36, 0x01, 0x00, 0x00, // mov eax, 310: unshare on i386
		0xbb, 0x00, 0x00, 0x00, 0x10, // mov ebx, CLONE_NEWUSER
		0xcd, 0x80, // int 0x80
		0xf7, 0xd8, // neg eax
		0x89, 0xc7, // mov edi, eax
		0xb8, 0xe7, 0x00, 0x00, 0x00, // mov eax, 231: exit_group
		0x0f, 0x05, // syscall
	})
}

// X32 returns an amd64 program that calls unshare(CLONE_NEWUSER) by its x32
// number and exits with the errno.
func X32() []byte {
	return program(amd64, []byte{
		0xb8, 0x10, 0x01, 0x00, 0x40, // mov eax, __X32_SYSCALL_BIT | 272: unshare
		0xbf, 0x00, 0x00, 0x00, 0x10, // mov edi, CLONE_NEWUSER
		0x0f, 0x05, // syscall
		0xf7, 0xd8, // neg eax
		0x89, 0xc7, // mov edi, eax
		0xb8, 0xe7, 0x00, 0x00, 0x00, // mov eax, 231: exit_group
		0x0f, 0x05, // syscall
	})
}

const amd64 = 62 // EM_X86_64
