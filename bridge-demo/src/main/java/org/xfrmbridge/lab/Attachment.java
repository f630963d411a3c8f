package org.xfrmbridge.lab;

import java.util.List;

/** Where a bridge stands on its host, whose device to the others is {@link Gateway#DEVICE}. */
public enum Attachment {
    /** In the host's stack: nothing of the host moves. */
    STACK(Gateway.DEVICE),
    /** In front of the device, whose addresses and routes move to a TAP. */
    WIRE("xfrm0", "--attach", Gateway.DEVICE);

    private final String device;
    private final List<String> options;

    Attachment(String device, String... options) {
        this.device = device;
        this.options = List.of(options);
    }

    /** The device that has the host's addresses and routes. */
    public String device() {
        return device;
    }

    /** What {@code run} has to be told. */
    public List<String> options() {
        return options;
    }
}
