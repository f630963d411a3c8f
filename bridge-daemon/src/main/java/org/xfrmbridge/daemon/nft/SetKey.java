package org.xfrmbridge.daemon.nft;

import java.util.List;

/**
 * What the elements of a set are: fields one after the other, each padded to four bytes. The numbers of the types are
 * those of the {@code nft} program, which prints them by these; the kernel only keeps them.
 */
record SetKey(List<Field> fields) {
    enum Field {
        IPV4(7, 4),
        IPV6(8, 16),
        PROTOCOL(12, 4),
        PORT(13, 4),
        /** Both as one number: {@code nft} has room for the types of five fields. */
        BOTH_PORTS(19, 4),
        MARK(19, 4),
        INTERFACE(20, 4),
        INTERFACE_NAME(41, 16);

        private final int type;
        private final int bytes;

        Field(int type, int bytes) {
            this.type = type;
            this.bytes = bytes;
        }
    }

    private static final int BITS_OF_A_TYPE = 6;
    private static final byte[] IN_NATIVE_ORDER = {0, 4, 1, 0, 0, 0};

    static SetKey of(Field... fields) {
        return new SetKey(List.of(fields));
    }

    int type() {
        return fields.stream().mapToInt(field -> field.type).reduce(0, (all, type) -> all << BITS_OF_A_TYPE | type);
    }

    int bytes() {
        // A protocol alone has one byte, a port two; among others each takes a register.
        if (fields.size() == 1) {
            return switch (fields.getFirst()) {
                case PROTOCOL -> 1;
                case PORT -> 2;
                default -> fields.getFirst().bytes;
            };
        }
        return fields.stream().mapToInt(field -> field.bytes).sum();
    }

    /** What {@code nft} leaves there for itself: without it a number alone is taken for one in network order. */
    byte[] userData() {
        boolean isNative = fields.size() == 1 && (fields.contains(Field.MARK) || fields.contains(Field.INTERFACE));
        return isNative ? IN_NATIVE_ORDER.clone() : new byte[0];
    }
}
