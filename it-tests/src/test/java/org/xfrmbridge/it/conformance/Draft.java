package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.xfrmbridge.netlink.nl.NetlinkHeader;

/** A request in the making: whole at first, then perhaps spoiled. */
final class Draft {
    /** One attribute; {@code rawType} may carry flags. */
    record Attribute(int rawType, byte[] payload) {}

    int type;
    int flags = NetlinkHeader.REQUEST | NetlinkHeader.ACK;
    byte[] fixed;
    final List<Attribute> attributes = new ArrayList<>();
    /** Bytes behind the attributes that are none. */
    byte[] tail = {};

    private Draft(int type, byte[] fixed) {
        this.type = type;
        this.fixed = fixed;
    }

    /** @param writer writes the structure behind the header, all {@code fixedBytes} of it */
    static Draft of(int type, int fixedBytes, Consumer<ByteBuffer> writer) {
        return new Draft(type, struct(fixedBytes, writer));
    }

    static byte[] struct(int bytes, Consumer<ByteBuffer> writer) {
        ByteBuffer out = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
        writer.accept(out);
        return out.array();
    }

    static byte[] number(int value) {
        return struct(Integer.BYTES, out -> out.putInt(value));
    }

    Draft with(int attributeType, byte[] payload) {
        attributes.add(new Attribute(attributeType, payload));
        return this;
    }

    Draft flags(int wanted) {
        flags = wanted;
        return this;
    }

    boolean has(int attributeType) {
        return attributes.stream().anyMatch(attribute -> attribute.rawType == attributeType);
    }

    /** Changes the number in an attribute, or puts the attribute there. */
    void set(int attributeType, byte[] payload) {
        attributes.removeIf(attribute -> attribute.rawType == attributeType);
        with(attributeType, payload);
    }

    byte[] toBytes(int sequence, int portId) {
        int length = NetlinkHeader.BYTES + NetlinkHeader.align(fixed.length);
        for (Attribute attribute : attributes) {
            length += NetlinkHeader.align(4 + attribute.payload.length);
        }
        length += tail.length;
        boolean bare = attributes.isEmpty() && tail.length == 0;
        int messageBytes = bare ? NetlinkHeader.BYTES + fixed.length : length;
        ByteBuffer out = ByteBuffer.allocate(length).order(ByteOrder.nativeOrder());
        out.putInt(messageBytes)
                .putShort((short) type)
                .putShort((short) flags)
                .putInt(sequence)
                .putInt(portId)
                .put(fixed);
        out.position(NetlinkHeader.BYTES + NetlinkHeader.align(fixed.length));
        for (Attribute attribute : attributes) {
            int end = out.position() + NetlinkHeader.align(4 + attribute.payload.length);
            out.putShort((short) (4 + attribute.payload.length))
                    .putShort((short) attribute.rawType)
                    .put(attribute.payload)
                    .position(end);
        }
        out.put(tail);
        return Arrays.copyOf(out.array(), messageBytes);
    }
}
