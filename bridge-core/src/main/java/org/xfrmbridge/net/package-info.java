/** Headers on the wire, read and written in place; checksums; the flow of a packet. */
package org.xfrmbridge.net;
