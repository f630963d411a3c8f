/** Sockets for Java clients of a kernel or of a bridge. */
package org.xfrmbridge.daemon.client;
