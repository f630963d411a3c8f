/** What a bridge shows by HTTP, if it is told to: metrics for Prometheus, and a page. Nothing is changed by it. */
package org.xfrmbridge.daemon.web;
