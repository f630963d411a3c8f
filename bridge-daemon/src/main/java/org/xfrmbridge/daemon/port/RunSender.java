package org.xfrmbridge.daemon.port;

import com.google.common.base.Throwables;
import org.xfrmbridge.io.PacketBatch;

/** Sends a batch run by run: frames that go together. One thread. */
interface RunSender {
    /** Sends what begins at an index; returns how many frames that was. */
    int sendRun(PacketBatch batch, int at);

    /** A fault costs the frame that shows it; the first is thrown when the others are sent. */
    default void send(PacketBatch batch) {
        Throwable first = null;
        for (int i = 0; i < batch.size(); ) {
            try {
                i += sendRun(batch, i);
            } catch (Throwable fault) {
                first = first == null ? fault : first;
                i++;
            }
        }
        if (first != null) {
            Throwables.throwIfUnchecked(first);
        }
    }
}
