/** What a network card would do: cutting super-frames of TCP and UDP, and merging segments and datagrams. */
package org.xfrmbridge.offload;
