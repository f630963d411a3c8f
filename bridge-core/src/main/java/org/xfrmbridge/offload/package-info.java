/** What a network card would do: cutting TCP super-frames into segments, merging segments again, and datagrams. */
package org.xfrmbridge.offload;
