package org.xfrmbridge.daemon.firewall;

/** Why rules do not do here what they were written for, in sentences for users. */
final class Reasons {
    static final String EXEMPT = "Nothing to do: what policies protect is exempt from source NAT here.";

    static final String NO_SOURCE_NAT = "Source NAT of what is protected already has no counterpart here. Without the "
            + "question for IPsec the rule changes what policies protect only afterwards.";

    static final String OUTPUT_WITHOUT_QUESTION = "The host's own packets show here where they would go unprotected. "
            + "The rule can do without the question: what policies protect does not leave in the clear.";

    static final String OUTPUT_FOR_ALL =
            OUTPUT_WITHOUT_QUESTION + " But it would accept everything then: give it addresses.";

    static final String OUTPUT_AFTER_ROUTING = "The host's own packets show here where they would go unprotected. "
            + "Behind the routing, in POSTROUTING, they show what they are.";

    static final String OPAQUE =
            "A program of iptables made it, and nft does not show it whole: install iptables and " + "ask again.";

    private Reasons() {}

    static String byInterface(boolean inbound, String tap) {
        return inbound
                ? "What IPsec opened comes in by %s here.".formatted(tap)
                : "What is to be protected leaves by %s here.".formatted(tap);
    }

    static String otherInterfaces(boolean inbound, String tap) {
        return "It takes what %s for unprotected.".formatted(inbound ? "comes in by " + tap : "leaves by " + tap);
    }

    static String twoInterfaces(boolean inbound, String tap) {
        return otherInterfaces(inbound, tap)
                + " One rule cannot name two interfaces: leave %s out with a rule before.".formatted(tap);
    }

    /** @param choosesTunnel whether they tell one tunnel from others */
    static String parts(String parts, boolean choosesTunnel) {
        return "No counterpart: " + parts
                + (choosesTunnel ? ". Tell tunnels apart by their addresses, or by marks that their SAs set." : ".");
    }

    static String reversePath(String tap) {
        return "It drops what comes in by %s, as the route to its source is another one.".formatted(tap);
    }

    static String flowtable(String tap) {
        return "It takes over what comes in or leaves by %s, which then goes past the bridge, and is dropped."
                .formatted(tap);
    }

    static String zone(String tap) {
        return "firewalld's own rules follow, as they did: it must have a zone for %s (see docs/firewall.md)"
                .formatted(tap);
    }

    static String way(String chain, String tap) {
        return "It leads to %s, where a rule asks for IPsec: what is or will be protected takes %s."
                .formatted(chain, tap);
    }

    static String inexpressible(String tap) {
        return "It chooses by SA, which has no counterpart here. All that IPsec protects takes %s.".formatted(tap);
    }
}
