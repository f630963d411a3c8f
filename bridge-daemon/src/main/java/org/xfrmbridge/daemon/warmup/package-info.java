/** Requests of nobody's to databases of nobody's, so that a bridge's first clients find compiled code. */
package org.xfrmbridge.daemon.warmup;
