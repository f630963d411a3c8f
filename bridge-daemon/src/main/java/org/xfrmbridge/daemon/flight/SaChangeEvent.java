package org.xfrmbridge.daemon.flight;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** An SA was added, updated or removed. */
@Name("xfrmbridge.SaChange")
@Label("SA Change")
@Description("An SA was added, updated or removed.")
final class SaChangeEvent extends SaEvent {
    @Label("Change")
    String change;

    @Label("Algorithm")
    String algorithm;

    @Label("Bytes Carried")
    long bytes;

    @Label("Packets Carried")
    long packets;
}
