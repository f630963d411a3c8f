package org.xfrmbridge.lab;

import java.util.List;

/**
 * One end of a topology.
 *
 * @param host where bridge and IKE daemon run; its device {@link #DEVICE} leads to the other site
 * @param client where protected traffic starts and ends: the host itself, or a machine behind it
 * @param outer addresses of the host on the wire
 * @param inner addresses of the client that only ESP may carry
 */
public record Gateway(Namespace host, Namespace client, Addresses outer, Addresses inner) {
    public static final String DEVICE = "eth0";

    /** Gives the host its addresses on the wire. */
    void addOuter() {
        host.addresses(
                DEVICE,
                outer.families().stream()
                        .map(family -> outer.of(family) + (family == Family.IPV4 ? "/24" : "/64"))
                        .toList());
    }

    /** A way to the other's inner address through its outer one. */
    public void routeTo(Gateway other, Family family) {
        host.ip(
                "-" + family.label(),
                "route",
                "replace",
                other.inner.of(family),
                "via",
                other.outer.of(family),
                "src",
                inner.of(family));
    }

    /** An IPv4 and an IPv6 address; {@code v6} is null where a topology, or this machine, has none. */
    public record Addresses(String v4, String v6) {
        static Addresses ofThisMachine(String v4, String v6) {
            return new Addresses(v4, Namespace.HAS_IPV6 ? v6 : null);
        }

        /** The families that have an address. */
        public List<Family> families() {
            return v6 == null ? List.of(Family.IPV4) : List.of(Family.IPV4, Family.IPV6);
        }

        public String of(Family family) {
            return family == Family.IPV4 ? v4 : v6;
        }
    }

    /** An address family, with what differs between the two in command lines. */
    public enum Family {
        IPV4(32),
        IPV6(128);

        private final int bits;

        Family(int bits) {
            this.bits = bits;
        }

        /** The prefix that holds just {@code address}. */
        public String host(String address) {
            return address + "/" + bits;
        }

        public String label() {
            return this == IPV4 ? "4" : "6";
        }
    }
}
