/** What became of packets, and why, in sentences with names and numbers. */
package org.xfrmbridge.explain;
