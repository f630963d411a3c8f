package org.xfrmbridge.xfrm;

/** ESP in another protocol, {@code struct xfrm_encap_tmpl}; ports in host order. */
public record Encapsulation(int type, int sport, int dport, Address originalAddress) {
    public static final int UDP_ENCAP_ESPINUDP = 2;
}
