package org.xfrmbridge.daemon.firewall;

/**
 * What a rule asks of IPsec, whatever program it is for.
 *
 * @param inbound whether the packet came out of IPsec; else whether it will go into it
 * @param wanted whether it must have; else it must not
 * @param atOutput whether the rule sees the host's own packets, before they are sent to the bridge
 * @param atSourceNat whether it is there to change sources, or to exempt from that
 * @param namesInterface whether it names one interface of that direction, which is not the bridge's
 * @param accepts whether it lets packets pass and does nothing else
 */
record Question(
        boolean inbound,
        boolean wanted,
        boolean atOutput,
        boolean atSourceNat,
        boolean namesInterface,
        boolean accepts) {

    /** How the same is said where a bridge stands in the host's stack. */
    enum Answer {
        /** One more rule: the same of the bridge's interface. */
        INTERFACE,
        /** The rule itself must leave the bridge's interface out. */
        OTHER_INTERFACES,
        /** What names another interface does not see what is protected. */
        AS_IT_IS,
        /** Source NAT leaves alone what is protected. */
        EXEMPT,
        /** Source NAT of what is protected has no counterpart. */
        NO_SOURCE_NAT,
        /** One more rule, without the question: it cannot be answered yet, and need not be. */
        WITHOUT_QUESTION,
        /** A rule at another place, as the question cannot be answered yet. */
        AFTER_ROUTING,
    }

    Answer answer() {
        if (inbound) {
            return byInterface();
        }
        if (atSourceNat) {
            return !wanted || accepts ? Answer.EXEMPT : Answer.NO_SOURCE_NAT;
        }
        if (atOutput) {
            return wanted && accepts ? Answer.WITHOUT_QUESTION : Answer.AFTER_ROUTING;
        }
        return byInterface();
    }

    private Answer byInterface() {
        if (wanted) {
            return Answer.INTERFACE;
        }
        return namesInterface ? Answer.AS_IT_IS : Answer.OTHER_INTERFACES;
    }
}
