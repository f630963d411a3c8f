package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.pfkey.sadb.SadbStruct;
import org.xfrmbridge.xfrm.Address;

/** {@code struct sadb_x_filter}: which States a DUMP shows, by the prefixes of their ends. */
public record SadbXFilter(Address saddr, Address daddr, int family, int splen, int dplen) implements SadbStruct {
    public static SadbXFilter read(ByteBuffer in) {
        Address saddr = readAddress(in);
        Address daddr = readAddress(in);
        int family = Short.toUnsignedInt(in.getShort());
        int splen = Byte.toUnsignedInt(in.get());
        return new SadbXFilter(saddr, daddr, family, splen, Byte.toUnsignedInt(in.get()));
    }

    private static Address readAddress(ByteBuffer in) {
        long high = BigEndian.of(in.getLong());
        return new Address(high, BigEndian.of(in.getLong()));
    }

    @Override
    public int bytes() {
        return 36;
    }

    @Override
    public void write(ByteBuffer out) {
        writeAddress(out, saddr);
        writeAddress(out, daddr);
        out.putShort((short) family).put((byte) splen).put((byte) dplen);
    }

    private static void writeAddress(ByteBuffer out, Address address) {
        out.putLong(BigEndian.of(address.high())).putLong(BigEndian.of(address.low()));
    }
}
