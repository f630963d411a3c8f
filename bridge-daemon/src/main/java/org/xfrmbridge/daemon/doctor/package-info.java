/** What a host has of what a bridge needs, and what to do where it has not: what {@code xfrm-bridge doctor} shows. */
package org.xfrmbridge.daemon.doctor;
