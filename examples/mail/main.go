// Mail is a small SMTP receiver (RFC 5321): it takes mail for anyone and keeps
// each message as a file in a spool folder. It is an example of a server worth
// confining; mail.yaml beside it is the policy, README.md the tour.
//
//	callgate run --policy mail.yaml -- mail -spool /var/spool/mail
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	listen := flag.String("listen", ":25", "address to listen on")
	spool := flag.String("spool", "spool", "folder that keeps the messages")
	host := flag.String("host", "localhost", "name to greet with")
	flag.Parse()
	if err := run(*listen, *spool, *host); err != nil {
		fmt.Fprintf(os.Stderr, "mail: %v\n", err)
		os.Exit(1)
	}
}

func run(listen, spool, host string) error {
	store, err := openSpool(spool)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "mail: listening on %s\n", listener.Addr())

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { listener.Close() })
	s := &server{host: host, store: store, limits: defaultLimits}
	if err := s.serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}
