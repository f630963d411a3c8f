/** System calls, the only native code: a failed one is an {@link org.xfrmbridge.daemon.os.OsException}. */
package org.xfrmbridge.daemon.os;
