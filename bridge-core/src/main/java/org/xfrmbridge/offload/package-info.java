/** What a network card would do: cutting TCP super-frames into segments, and merging segments again. */
package org.xfrmbridge.offload;
