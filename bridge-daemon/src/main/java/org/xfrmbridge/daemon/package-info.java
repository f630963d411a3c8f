/** The running bridge: what it is made of, its threads, and its memory. */
package org.xfrmbridge.daemon;
