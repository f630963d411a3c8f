package org.xfrmbridge.pfkey.client;

import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbKey;
import org.xfrmbridge.pfkey.msg.SadbLifetime;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.msg.SadbXNatTPort;
import org.xfrmbridge.pfkey.msg.SadbXNatTType;
import org.xfrmbridge.pfkey.msg.SadbXSa2;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbStruct;
import org.xfrmbridge.pfkey.sadb.SadbWriter;

/**
 * A State in PF_KEY's words. What is null is not said.
 *
 * @param satype of {@link org.xfrmbridge.pfkey.sadb.Satype}
 * @param source with the prefix length of a host
 * @param auth key; its algorithm is in {@code sa}
 * @param encrypt key; its algorithm is in {@code sa}
 * @param current counters, of answers only
 * @param sa2 mode and reqid
 * @param encapsulation ESP in UDP; then both ports are there
 */
public record PfkeyState(
        int satype,
        SadbSa sa,
        SadbAddress source,
        SadbAddress destination,
        SadbKey auth,
        SadbKey encrypt,
        SadbLifetime hard,
        SadbLifetime soft,
        SadbLifetime current,
        SadbXSa2 sa2,
        SadbXNatTType encapsulation,
        SadbXNatTPort sourcePort,
        SadbXNatTPort destinationPort) {
    static PfkeyState of(PfkeyMessage message) {
        return new PfkeyState(
                message.header().satype(),
                message.read(SadbExt.SA, SadbSa::read),
                message.address(SadbExt.ADDRESS_SRC),
                message.address(SadbExt.ADDRESS_DST),
                message.read(SadbExt.KEY_AUTH, SadbKey::read),
                message.read(SadbExt.KEY_ENCRYPT, SadbKey::read),
                message.lifetime(SadbExt.LIFETIME_HARD),
                message.lifetime(SadbExt.LIFETIME_SOFT),
                message.lifetime(SadbExt.LIFETIME_CURRENT),
                message.read(SadbExt.X_SA2, SadbXSa2::read),
                message.read(SadbExt.X_NAT_T_TYPE, SadbXNatTType::read),
                message.read(SadbExt.X_NAT_T_SPORT, SadbXNatTPort::read),
                message.read(SadbExt.X_NAT_T_DPORT, SadbXNatTPort::read));
    }

    /** Its name: enough for GET and DELETE. */
    public static PfkeyState named(int satype, int spi, SadbAddress source, SadbAddress destination) {
        Builder name = new Builder();
        name.satype = satype;
        name.sa = new SadbSa(spi, 0, SadbSa.MATURE, 0, 0, 0);
        name.source = source;
        name.destination = destination;
        return name.build();
    }

    void writeName(SadbWriter out) {
        put(out, SadbExt.SA, sa);
        put(out, SadbExt.ADDRESS_SRC, source);
        put(out, SadbExt.ADDRESS_DST, destination);
    }

    void write(SadbWriter out) {
        writeName(out);
        put(out, SadbExt.KEY_AUTH, auth);
        put(out, SadbExt.KEY_ENCRYPT, encrypt);
        put(out, SadbExt.LIFETIME_HARD, hard);
        put(out, SadbExt.LIFETIME_SOFT, soft);
        put(out, SadbExt.X_SA2, sa2);
        put(out, SadbExt.X_NAT_T_TYPE, encapsulation);
        put(out, SadbExt.X_NAT_T_SPORT, sourcePort);
        put(out, SadbExt.X_NAT_T_DPORT, destinationPort);
    }

    private static void put(SadbWriter out, SadbExt extension, SadbStruct struct) {
        if (struct != null) {
            out.put(extension, struct);
        }
    }

    /** Public fields, set in any order. */
    public static final class Builder {
        public int satype;
        public SadbSa sa;
        public SadbAddress source;
        public SadbAddress destination;
        public SadbKey auth;
        public SadbKey encrypt;
        public SadbLifetime hard;
        public SadbLifetime soft;
        public SadbXSa2 sa2;
        public SadbXNatTType encapsulation;
        public SadbXNatTPort sourcePort;
        public SadbXNatTPort destinationPort;

        public PfkeyState build() {
            return new PfkeyState(
                    satype,
                    sa,
                    source,
                    destination,
                    auth,
                    encrypt,
                    hard,
                    soft,
                    null,
                    sa2,
                    encapsulation,
                    sourcePort,
                    destinationPort);
        }
    }
}
