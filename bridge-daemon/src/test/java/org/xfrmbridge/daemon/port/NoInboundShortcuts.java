package org.xfrmbridge.daemon.port;

import org.xfrmbridge.io.PacketBuffer;

/** Where there are none. */
public class NoInboundShortcuts implements InboundShortcuts {
    @Override
    public int mark() {
        return 0;
    }

    @Override
    public Look look(boolean framesWait) {
        return Look.IDLE;
    }

    @Override
    public Way came(PacketBuffer frame) {
        return Way.AS_BEFORE;
    }

    @Override
    public void cameBefore() {}

    @Override
    public boolean open(PacketBuffer frame) {
        return false;
    }

    @Override
    public void close() {}
}
