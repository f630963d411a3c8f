/** {@code xfrm-bridge top}: the figures of a bridge on a terminal, again and again. */
package org.xfrmbridge.daemon.top;
