package org.xfrmbridge.io;

/** A port in memory, whose thread never sleeps: there is nothing to wait for, nobody to wake and nothing to close. */
public interface BusyPort extends PacketPort {
    @Override
    default boolean await(int timeoutMs) {
        return true;
    }

    @Override
    default void wake() {}

    @Override
    default void close() {}
}
