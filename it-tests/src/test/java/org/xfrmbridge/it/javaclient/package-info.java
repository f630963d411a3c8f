/**
 * The Java clients, against a bridge and against this machine's kernel, and what they make easy to show: a listener
 * that does not read.
 */
package org.xfrmbridge.it.javaclient;
