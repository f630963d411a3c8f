package org.xfrmbridge.datapath;

import static org.xfrmbridge.datapath.DropReason.*;

/**
 * What exactly a packet was dropped for: finer than its {@link DropReason}, which it decides, and the one place that
 * has the sentences. Names in braces stand for what is known of the packet; {@code docs/drops.md} lists all of them.
 */
public enum DropCause {
    OUT_UNREADABLE(
            OUT_ERROR,
            "the host sent IP in a form that is not read here, or with a broken header, and a policy may be for it",
            "capture it on xfrm0 with tcpdump: who sends such packets, or nests them in more VLAN tags than are read"),
    OUT_FRAGMENTS_UNREADABLE(
            OUT_ERROR,
            "fragments of the host make no packet that can be read",
            "capture them on xfrm0 with tcpdump: their sender divides wrongly"),
    OUT_CLEAR_TOO_LONG(
            OUT_ERROR,
            "{packet} is to pass in the clear, is longer than the {limit} bytes of its way, and may not be divided"
                    + " (DF)",
            "its sender was told by ICMP; if that does not come through, let ICMP \"fragmentation needed\" pass"),
    OUT_NOT_DIVISIBLE(
            OUT_ERROR,
            "{packet} is longer than the {limit} bytes of its way, and cannot be divided there",
            "raise the MTU of the way, or send shorter packets"),
    OUT_OVERLONG(
            OUT_ERROR,
            "{packet} would be longer than an IP packet can be once {state} has protected it",
            "send shorter packets: this one leaves no room for the headers of its States"),
    OUT_BLOCKED(
            OUT_POL_BLOCK,
            "{policy} blocks {packet}",
            "if it is to pass, delete that policy or give another one a smaller priority number: ip xfrm policy"),
    OUT_BLOCKED_BY_DEFAULT(
            OUT_POL_BLOCK,
            "no out policy is for {packet}, and the default verdict blocks. {nearest}",
            "add a policy for it, or ask for the default verdicts: ip xfrm policy getdefault"),
    OUT_TOO_MANY_TEMPLATES(
            OUT_POL_ERROR,
            "the policies for {packet} have six templates or more between them: {policy}",
            "take templates away: a packet goes through five States at most"),
    OUT_NO_SOURCE(
            OUT_POL_ERROR,
            "{policy} leaves the tunnel's own end open, and the host has no address towards {remote}",
            "give the host a route to that address (ip route get), or name the source in the template"),
    OUT_ACQUIRE_REFUSED(
            OUT_POL_ERROR,
            "{policy} wants {template}, there is none, and too many key exchanges wait for an answer already",
            "see whether the IKE daemon runs and answers: ip xfrm state shows what waits as larval SAs"),
    OUT_NO_STATE(
            OUT_NO_STATES,
            "{policy} wants {template}, and there is no such SA. {near}",
            "the IKE daemon was asked for it: see its log; without a daemon add it with ip xfrm state"),
    OUT_STATE_AWAITED(
            OUT_NO_STATES,
            "{policy} wants {template}, and the IKE daemon that was asked for it has not answered yet. {near}",
            "see the daemon's log; it was asked by an ACQUIRE, which ip xfrm monitor acquire shows"),
    OUT_STATE_ENDED(
            OUT_NO_STATES,
            "{policy} wants {template}, and {state} that would serve is {phase}. {near}",
            "see why the daemon has not made another one in time: rekeying should come before the hard limit"),
    OUT_BACKLOG_FULL(
            OUT_NO_QUEUE_SPACE,
            "{packet} belongs to another thread of the bridge, which is too far behind to take it",
            "the bridge has too little of the processors: see the load of its threads with xfrm-bridge top"),
    OUT_NO_WAY(
            OUT_BUNDLE_GEN_ERROR,
            "there is no way to {remote}, where the outer packet goes: no route, or its next hop does not answer",
            "ip route get that address, and ip neigh of its gateway"),
    OUT_STATE_UNFIT(
            OUT_BUNDLE_GEN_ERROR,
            "{state} cannot carry {packet}: its mode or its algorithms do not take it",
            "compare the mode and the selector of the SA with the packet's family: ip xfrm state"),
    OUT_NO_MEMORY(
            OUT_BUNDLE_GEN_ERROR,
            "there is no memory to begin with {state}",
            "give the bridge more heap (docs/running.md, Memory), or end SAs that nobody needs"),
    OUT_TOO_LONG(
            OUT_STATE_MODE_ERROR,
            "{packet} may not be divided (DF) and is longer than the {limit} bytes that fit into {state}",
            "its sender was told the MTU by ICMP; if that does not come through, let ICMP pass, or use --clamp-mss"),
    OUT_PIECES_IMPOSSIBLE(
            OUT_STATE_MODE_ERROR,
            "{packet} cannot be divided into pieces of the {limit} bytes that fit into {state}",
            "send shorter packets, or raise the MTU of the way"),
    OUT_MODE_REFUSED(
            OUT_STATE_MODE_ERROR,
            "the mode of {state} has no header for {packet}",
            "compare the mode and the selector of the SA with the packet's family and extension headers"),
    OUT_STATE_FOR_IN(
            OUT_STATE_DIR_ERROR,
            "{state} was added for dir in, and {packet} leaves",
            "add the SA with dir out, or without a direction: ip xfrm state"),
    OUT_LIMIT_REACHED(
            OUT_STATE_EXPIRED,
            "{state} has reached its hard limit: {usage}",
            "rekey earlier or raise the limit: a new SA has to be there before the hard limit"),
    OUT_NUMBERS_USED_UP(
            OUT_STATE_SEQ_ERROR,
            "{state} has used all its sequence numbers, the last was {seq}",
            "rekey it, or use extended sequence numbers (flag esn)"),
    OUT_SEAL_FAILED(
            OUT_STATE_PROTO_ERROR,
            "{packet} could not be protected by {state}: its keys are being wiped, or it takes no such header",
            "if the SA was not just deleted, look at the extension headers of the packet"),
    IN_UNREADABLE(
            IN_HDR_ERROR,
            "a frame from the network has a broken IP header, or IP in a form that is not read while there are"
                    + " policies",
            "capture it with tcpdump: what sends it, and with how many VLAN tags"),
    IN_FRAGMENTS_UNREADABLE(
            IN_HDR_ERROR,
            "fragments from the network make no packet that can be read",
            "capture them with tcpdump: something on the way divides wrongly"),
    IN_CUT_SHORT(
            IN_HDR_ERROR,
            "{packet} is too short to name an SA",
            "capture it with tcpdump: it was cut on its way, or is no IPsec"),
    IN_TOO_DEEP(
            IN_BUFFER_ERROR,
            "{packet} is protected more than six times",
            "the peer nests tunnels into themselves: compare its policies with its routes"),
    IN_NO_MEMORY(
            IN_BUFFER_ERROR,
            "there is no memory to begin with {state}",
            "give the bridge more heap (docs/running.md, Memory), or end SAs that nobody needs"),
    IN_BACKLOG_FULL(
            IN_BUFFER_ERROR,
            "{packet} belongs to another thread of the bridge, which is too far behind to take it",
            "the bridge has too little of the processors: see the load of its threads with xfrm-bridge top"),
    IN_TOO_MANY_TEMPLATES(
            IN_BUFFER_ERROR,
            "the policies for {packet} have six templates or more between them: {policy}",
            "take templates away: a packet comes through five States at most"),
    IN_UNKNOWN_SPI(
            IN_NO_STATES,
            "no State for SPI {spi} ({proto}) to {outer-destination} from {outer-source}: {fate}",
            "let both sides agree again (swanctl --rekey or --terminate); ip xfrm state here and at the peer shows who"
                    + " has it"),
    IN_STATE_FOR_OUT(
            IN_STATE_DIR_ERROR,
            "{state} was added for dir out, and a packet came by it",
            "add the SA with dir in, or without a direction: ip xfrm state"),
    IN_STATE_LARVAL(
            ACQUIRE_ERROR,
            "{state} has no keys yet, and the peer sends with it already",
            "the IKE daemon has not installed it yet: see its log"),
    IN_STATE_ENDED(
            IN_STATE_INVALID,
            "{state} is {phase}, and the peer still sends with it",
            "see why the peer has not changed to a newer SA: its log, and ip xfrm state there"),
    IN_NO_ALGORITHM(
            IN_STATE_PROTO_ERROR,
            "{state} has no algorithms: it opens nothing",
            "add the SA again with its algorithms: ip xfrm state"),
    IN_NOT_AUTHENTIC(
            IN_STATE_PROTO_ERROR,
            "the integrity check of number {seq} failed for {state}: another key, another algorithm, or it was changed"
                    + " on its way",
            "compare keys, algorithms and ICV lengths of both sides; if only some fail, look for what changes packets"),
    IN_MALFORMED(
            IN_STATE_PROTO_ERROR,
            "number {seq} of {state} is not formed as {proto} is: length, padding or next header",
            "compare algorithms and encapsulation of both sides, and capture the packet with tcpdump"),
    IN_ENCAPSULATION_DIFFERS(
            IN_STATE_MISMATCH,
            "{state} was agreed {agreed}, and the packet from {outer-source} came {came}: a NAT, or its port, has"
                    + " changed",
            "compare encap of ip xfrm state with what tcpdump shows on the wire; the IKE daemons can find the NAT"
                    + " again"),
    IN_SELECTOR_DIFFERS(
            IN_STATE_MISMATCH,
            "{packet} came through {state}, whose selector is for other packets: {selector}",
            "the peer sends what was not agreed for this SA: compare the traffic selectors of both sides"),
    IN_REPLAYED(
            IN_STATE_SEQ_ERROR,
            "number {seq} of {state} has come before: replayed, or doubled on its way. {window}",
            "look for what doubles packets; if the peer was restarted with the same keys, rekey"),
    IN_OUTSIDE_WINDOW(
            IN_STATE_SEQ_ERROR,
            "number {seq} of {state} is older than its replay window remembers. {window}",
            "if packets overtake each other so far, make the window larger (replay_window, up to 4096)"),
    IN_NUMBER_ZERO(
            IN_STATE_SEQ_ERROR,
            "number 0 came for {state}, which no sender uses before it has used all others. {window}",
            "the peer does not number its packets: look at how its SA was made"),
    IN_LIMIT_REACHED(
            IN_STATE_EXPIRED,
            "{state} has reached its hard limit: {usage}",
            "rekey earlier or raise the limit: a new SA has to be there before the hard limit"),
    IN_MODE_DIFFERS(
            IN_STATE_MODE_ERROR,
            "what number {seq} of {state} holds is not what its mode wants",
            "compare the mode of both sides: tunnel here and transport there, or the other way"),
    IN_NOT_DIVISIBLE(
            IN_ERROR,
            "{packet} was put together, and cannot be divided again for the host",
            "capture its fragments with tcpdump: their sender divides wrongly"),
    IN_NO_POLICY(
            IN_NO_POLS,
            "{packet} came {came}, and no {dir} policy is for it. {nearest}",
            "add the {dir} policy: what comes through a tunnel needs dir in for the host itself, dir fwd behind it"),
    IN_BLOCKED_BY_DEFAULT(
            IN_NO_POLS,
            "no {dir} policy is for {packet}, and the default verdict blocks. {nearest}",
            "add a policy for it, or ask for the default verdicts: ip xfrm policy getdefault"),
    IN_BLOCKED(
            IN_POL_BLOCK,
            "{policy} blocks {packet}",
            "if it is to pass, delete that policy or give another one a smaller priority number: ip xfrm policy"),
    IN_NOT_PROTECTED(
            IN_TMPL_MISMATCH,
            "{packet} came in the clear, and {policy} wants {template}",
            "the sender does not protect it: look at the out policy there (xfrm-bridge why), its mark and interface"),
    IN_TEMPLATE_UNMET(
            IN_TMPL_MISMATCH,
            "{packet} came {came}, and {policy} wants {template}: {difference}",
            "make the template and the SA agree (reqid, mode, protocol, ends): ip xfrm policy, ip xfrm state"),
    IN_TUNNEL_UNWANTED(
            IN_TMPL_MISMATCH,
            "{packet} came {came}, and {policy} has no template for that tunnel: it wants the packet as it is, or less"
                    + " protected",
            "give the policy that template, or make the sender send it in the clear"),
    FWD_INTO_VRF(
            FWD_HDR_ERROR,
            "{packet} came through a tunnel of a VRF and is to be forwarded there, past the host's rules",
            "end the tunnel outside of the VRF, or let the host itself be the destination");

    private final DropReason reason;
    private final String sentence;
    private final String advice;

    DropCause(DropReason reason, String sentence, String advice) {
        this.reason = reason;
        this.sentence = sentence;
        this.advice = advice;
    }

    /** What is counted. */
    public DropReason reason() {
        return reason;
    }

    /** What happened, with names in braces. */
    public String sentence() {
        return sentence;
    }

    /** What to look at. */
    public String advice() {
        return advice;
    }
}
