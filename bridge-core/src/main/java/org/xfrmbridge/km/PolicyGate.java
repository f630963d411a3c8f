package org.xfrmbridge.km;

/** Asked before a Policy is added, replaced or moved, and before default verdicts change. Control thread only. */
public interface PolicyGate {
    /** @throws XfrmException if it must not be now: ENOSPC if it could not be remembered */
    void beforeChange() throws XfrmException;
}
