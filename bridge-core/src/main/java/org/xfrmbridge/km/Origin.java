package org.xfrmbridge.km;

/**
 * Who asked for a change, {@code struct km_event}: events carry it so that the asker recognises its own. For changes nobody asked
 * for (timers) both are 0.
 */
public record Origin(int sequence, int portId) {
    public static final Origin KERNEL = new Origin(0, 0);
}
