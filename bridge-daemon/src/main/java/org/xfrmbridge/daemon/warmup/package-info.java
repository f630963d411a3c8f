/** The warm-up: requests to databases that nobody sees, so that a bridge's first clients find compiled code. */
package org.xfrmbridge.daemon.warmup;
