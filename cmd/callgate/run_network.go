package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/relay"
	"github.com/callgate/callgate/policy"
)

// readNetwork reads --net and --publish into the policy: a mode's word, or
// destinations separated by commas, which mean the mode relay.
func readNetwork(p *policy.Policy, net, publish []string) error {
	for _, text := range net {
		var mode policy.NetworkMode
		wordErr := mode.UnmarshalText([]byte(text))
		if wordErr == nil {
			p.Network.Mode = policy.Given("--net", mode)
			continue
		}
		if !strings.ContainsAny(text, ":./0123456789") { // a word, misspelt
			return fmt.Errorf("--net: %w", wordErr)
		}
		for part := range strings.SplitSeq(text, ",") {
			d := policy.Destination{At: given("--net")}
			if err := d.UnmarshalText([]byte(strings.TrimSpace(part))); err != nil {
				return fmt.Errorf("--net: %w", err)
			}
			p.Network.Connect = policy.Given("--net", append(p.Network.Connect.Value, d))
		}
	}
	for _, text := range publish {
		one := policy.Publication{At: given("--publish")}
		if err := one.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("--publish: %w", err)
		}
		p.Network.Publish = append(p.Network.Publish, one)
	}
	if p.Network.Mode.IsSet() && p.Network.Mode.Value != policy.RelayNetwork && (p.Network.Connect.IsSet() || len(publish) > 0) {
		return errors.New("--net: there is nothing to connect to and to publish in the mode " + p.Network.Mode.Value.String() + ": leave it out")
	}
	if p.Network.Connect.IsSet() || len(publish) > 0 {
		p.Network.Mode = policy.Given("--net", policy.RelayNetwork)
	}
	return nil
}

// readSockets reads --unix into the policy: paths, or the word none.
func readSockets(p *policy.Policy, texts []string) error {
	var list []policy.Path
	for _, text := range texts {
		if text == "none" {
			continue
		}
		text, optional := strings.CutPrefix(text, "-")
		path, err := policy.ParsePath(text)
		if err != nil {
			return fmt.Errorf("--unix: %w", err)
		}
		path.Optional, path.At = optional, given("--unix")
		list = append(list, path)
	}
	if len(texts) > 0 {
		p.Network.Unix = policy.Given("--unix", list)
	}
	return nil
}

// relayNetwork has the Spec's network lead to what the policy lists. It returns
// what is refused there, nil without a relay.
func relayNetwork(spec *jail.Spec, p *policy.Policy, m *monitor) *unreached {
	if p.Network.Mode.Value != policy.RelayNetwork {
		return nil
	}
	refused := &unreached{rules: &p.Network, kinds: map[relay.Refusal]*refusedKind{}}
	r := relay.New(relay.Config{
		Rules: &p.Network, Address: jail.RelayAddress, Names: jail.NamedAddresses, Names6: jail.NamedAddresses6, Refused: refused.refused,
	})
	if m != nil {
		m.names, m.unreached = r.Names, refused
		if m.explainer != nil {
			m.explainer.network = refused
		}
		if m.auditor != nil {
			refused.record = m.auditor.Record
		}
	}
	spec.Relay = &jail.Relay{Routes: r.Routes(), Start: func(s jail.RelaySockets) (func(), error) {
		return r.Start(relay.Sockets(s))
	}}
	spec.Relay.TCP, spec.Relay.UDP = r.Ports()
	return refused
}
