/** SAs that move from one bridge to another while they carry traffic, as in a cluster. */
package org.xfrmbridge.it.failover;
