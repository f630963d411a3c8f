/**
 * System calls: the only package that knows jnr. One final class per family; a failed call is an
 * {@link org.xfrmbridge.daemon.os.OsException}.
 */
package org.xfrmbridge.daemon.os;
