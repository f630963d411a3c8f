package org.xfrmbridge.lab;

/** Which end of a {@link Topology}: the left one initiates unless a scenario says otherwise. */
public enum Side {
    LEFT,
    RIGHT;

    public Side other() {
        return this == LEFT ? RIGHT : LEFT;
    }

    /** The IKE identity, and the subject alternative name of the certificate. */
    public String identity() {
        return name().toLowerCase(java.util.Locale.ROOT) + ".example.org";
    }
}
