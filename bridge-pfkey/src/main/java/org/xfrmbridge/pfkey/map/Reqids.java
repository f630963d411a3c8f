package org.xfrmbridge.pfkey.map;

import org.xfrmbridge.km.XfrmException;

/** Where a request for a transform of its own that names no reqid gets one. */
public interface Reqids {
    /** @throws XfrmException ENOBUFS if all are in use */
    int allocate() throws XfrmException;
}
