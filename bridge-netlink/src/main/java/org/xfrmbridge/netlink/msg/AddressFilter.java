package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Address;

/** {@code struct xfrm_address_filter}: XFRMA_ADDRESS_FILTER of a GETSA dump. */
public record AddressFilter(Address saddr, Address daddr, int family, int saddrPrefix, int daddrPrefix) {
    public static final int BYTES = 36;

    public static AddressFilter read(ByteBuffer in) {
        Address saddr = Structs.readAddress(in);
        Address daddr = Structs.readAddress(in);
        int family = Short.toUnsignedInt(in.getShort());
        int saddrPrefix = Byte.toUnsignedInt(in.get());
        return new AddressFilter(saddr, daddr, family, saddrPrefix, Byte.toUnsignedInt(in.get()));
    }

    public void write(ByteBuffer out) {
        Structs.writeAddress(out, saddr);
        Structs.writeAddress(out, daddr);
        out.putShort((short) family).put((byte) saddrPrefix).put((byte) daddrPrefix);
    }
}
