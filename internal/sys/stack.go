package sys

// DeepenStack grows the calling goroutine's stack to 64 KiB or more in one
// step. Called early, it saves the moves that growing from 8 KiB takes later,
// when there are frames to move and tables to read for each of them.
func DeepenStack()
